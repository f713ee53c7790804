// libFuzzer's own entry, for a program that has a main of its own.
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *_Nonnull argc, char *_Nullable *_Nonnull *_Nonnull argv, int (*_Nonnull one)(const uint8_t *_Nullable data, size_t size));
