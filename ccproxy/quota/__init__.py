"""How much of a subscription's plan is used, as the providers say it beside their answers."""
