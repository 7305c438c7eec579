#pragma once

/// Marks what a shared build of the library exports; everything else is hidden.
#if defined(__GNUC__)
#define UNDERSTUDY_API __attribute__((visibility("default")))
#else
#define UNDERSTUDY_API
#endif
