"""CLIP from timm: vision towers B/32, B/16 and L/14 with QuickGELU, before their projection."""
