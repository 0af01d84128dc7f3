"""What CloudFront's edge is made of: visits, the cache, the events of edge functions and their rules."""
