"""From a configuration to campaigns that run: chains, markets, signers, custody."""
