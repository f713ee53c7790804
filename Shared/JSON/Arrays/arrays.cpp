#include "arrays.h"
