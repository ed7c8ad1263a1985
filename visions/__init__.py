"""What comes out of workshops: pooled results and the published vision."""
