#pragma once

#include "keys.h"

namespace walcat::config {

/// The section `output`: what a line is, which lines there are, and how they are framed.
Field<Draft> output_section();

}  // namespace walcat::config
