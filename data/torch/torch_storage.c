/* References to storages. */
#include "data/torch/torch_storage.h"

static const struct {
    const char *name;
    EadFileType type;
} types[] = {{"torch.FloatStorage", EAD_FILE_F32},     {"torch.HalfStorage", EAD_FILE_F16},
             {"torch.BFloat16Storage", EAD_FILE_BF16}, {"torch.DoubleStorage", EAD_FILE_F64},
             {"torch.LongStorage", EAD_FILE_I64},      {"torch.IntStorage", EAD_FILE_I32},
             {"torch.ShortStorage", EAD_FILE_I16},     {"torch.CharStorage", EAD_FILE_I8},
             {"torch.ByteStorage", EAD_FILE_U8},       {"torch.BoolStorage", EAD_FILE_BOOL}};

enum { TYPES = sizeof types / sizeof *types };

EadStatus ead_torch_malformed(const char *what) {
    return ead_fail(EAD_BAD_FILE, "%s; the file is damaged, save it again", what);
}

static EadStatus read_type(const EadPickleValue *value, EadFileType *out) {
    char name[64];
    for (int i = 0; i < TYPES; i++)
        if (ead_pickle_is(value, types[i].name)) {
            *out = types[i].type;
            return EAD_OK;
        }
    if (value->kind != EAD_PICKLE_GLOBAL) return ead_torch_malformed("a storage without type");
    ead_pickle_copy(value, name, sizeof name);
    return ead_fail(EAD_UNSUPPORTED, "storages of type %s cannot be read; convert it to float in Python",
                    name);
}

EadStatus ead_torch_storage_read(const EadPickleValue *reference, EadTorchStorage *out) {
    const EadPickleValue *parts = reference->argument;
    if (reference->kind != EAD_PICKLE_OUTSIDE || parts->kind != EAD_PICKLE_TUPLE || parts->count < 5 ||
        parts->count > 6 || !ead_pickle_is(parts->items[0], "storage") ||
        parts->items[2]->kind != EAD_PICKLE_TEXT || parts->items[4]->kind != EAD_PICKLE_INT)
        return ead_torch_malformed("a malformed reference to a storage");
    if (parts->count == 6 && parts->items[5]->kind != EAD_PICKLE_NONE)
        return ead_fail(EAD_UNSUPPORTED, "storages within storages cannot be read; save the file again in "
                                         "Python: torch.save(torch.load(FILE), NEW_FILE)");
    if (!ead_pickle_copy(parts->items[2], out->key, sizeof out->key))
        return ead_torch_malformed("a storage's key is too long");
    EAD_TRY(read_type(parts->items[1], &out->type));
    out->elements = parts->items[4]->integer;
    return EAD_OK;
}
