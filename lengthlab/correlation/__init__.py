"""Several inputs: the correlation map, Gram matrices at finite width, kernel spectra."""

from lengthlab.correlation.correlation_map import CorrelationMap, correlation_map
from lengthlab.correlation.gram import sample_gram
from lengthlab.correlation.kernel import product_mean
from lengthlab.correlation.spectrum import gram_spectrum

__all__ = ["CorrelationMap", "correlation_map", "gram_spectrum", "product_mean", "sample_gram"]
