"""Items for Sixty. The pack itself is `sixty_example.plugin`."""
