/* No more of a caller's memory is looked at than its size says, and no size is believed that no version can have. */
#include "models/caller_struct.h"

#include <string.h>

enum { MOST = 4096 };

EadStatus ead_copy_caller_struct(const char *type, const void *given, void *out, size_t known) {
    size_t size;
    memcpy(&size, given, sizeof size);
    if (size <= sizeof size || size > MOST)
        return ead_fail(EAD_BAD_ARGUMENT, "size of %s is %zu; set it to sizeof(%s)", type, size, type);
    for (size_t i = known; i < size; i++)
        if (((const unsigned char *)given)[i])
            return ead_fail(
                EAD_BAD_ARGUMENT,
                "%s holds a member that this version of the library does not know; set it to 0 or "
                "install the version that the program was compiled with",
                type);
    memset(out, 0, known);
    memcpy(out, given, size < known ? size : known);
    return EAD_OK;
}
