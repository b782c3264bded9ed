"""The adapters: one module (or package) a channel type, opened through the registry only."""
