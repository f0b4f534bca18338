"""SAM from timm: the image encoder B, L and H with patches of 16 pixels, before its neck."""
