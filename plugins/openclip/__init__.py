"""OpenCLIP from timm: vision towers B/32, B/16, L/14 and H/14, before their projection."""
