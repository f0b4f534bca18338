"""SAM 2 from timm: the image encoder T, S, B+ and L, four stages of maps with channels last."""
