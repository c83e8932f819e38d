"""Results of a campaign along random paths of the price. Needs the extra `quant`."""
