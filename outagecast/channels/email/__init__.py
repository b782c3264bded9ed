"""Mail: one letter per address, over relays in order, with every stage of the dialogue told apart."""
