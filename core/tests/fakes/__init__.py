"""Small packs for the kernel's tests. Each is a plugin module as anybody would write it."""
