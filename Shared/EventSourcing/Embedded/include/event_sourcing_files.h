#pragma once
#include "embedded.h"

extern const embedded_file event_sourcing_files[];
