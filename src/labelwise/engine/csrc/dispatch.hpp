// Which instruction sets this library was built with and this processor has.
#pragma once

#include "kernels.hpp"

namespace labelwise {

// By name, or the best for an empty name; null when the processor or the library lacks it.
const Kernels* kernels_for(const char* name);

}  // namespace labelwise
