"""The rehearsal: everything that `experiment=cifar10` meets, on small stand-ins, in minutes.

Stand-ins have the official formats, class names and parameter names, and random weights. They are
served on loopback in place of the web. Their numbers mean nothing.
"""
