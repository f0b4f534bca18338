"""Any model of timm's by its name."""
