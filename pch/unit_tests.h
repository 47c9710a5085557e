// What most unit tests include; see library.h.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "library.h"
