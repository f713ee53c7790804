#pragma once
#include "embedded.h"

extern const embedded_file broker_files[];
