"""The models, in folders by the kinds that the lecture names."""
