"""CoCa: vision towers B/32 and L/14 with the attention pooler that makes their image embedding."""
