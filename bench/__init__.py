"""Speed and memory at scale, as ratios against a floor measured in the same run. Run with `make bench`."""
