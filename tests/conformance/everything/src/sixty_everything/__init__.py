"""Every feature of the protocol once, under the names by which the conformance suite asks for them."""
