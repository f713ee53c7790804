#pragma once
#include "embedded.h"

// A function, since Swift does not import an array of unknown length.
const embedded_file *_Nonnull warning_files(void);
