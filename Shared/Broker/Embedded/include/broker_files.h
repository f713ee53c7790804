#pragma once
#include "embedded.h"

// The list's first entry; it ends with one without a name.
const embedded_file *_Nonnull broker_files(void);
