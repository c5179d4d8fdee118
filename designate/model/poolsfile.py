def parse(data, source, drivers=None): raise RuntimeError
