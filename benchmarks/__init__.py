"""How long Detente takes, beside its peers and beside what cannot be avoided.

python3 scripts/env.py python -m benchmarks --quick
"""
