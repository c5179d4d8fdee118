"""Small things that every process needs: threads, clocks, deadlines, caches and its own life."""
