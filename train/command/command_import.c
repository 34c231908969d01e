/* efficientad import. */
#include "train/cli/arguments.h"

#include "core/file/file_role.h"
#include "core/file/output_check.h"
#include "core/file/safetensors.h"
#include "core/base/printing.h"
#include "core/base/paths.h"
#include "core/system/file_lock.h"
#include "models/efficientad/model.h"
#include "models/networks/params_file.h"
#include "train/import/import.h"
#include "train/support/progress.h"
#include "train/support/version.h"

#include <stdio.h>
#include <string.h>

/* All that was found, and the file that it goes into. */
typedef struct Import {
    EadImportSource source;
    EadImportNetworks networks;
    EadImportVector vectors[EAD_IMPORT_VECTORS];
    EadImportBackbone backbone;
    EadImportCodebooks codebooks;
    EadSafetensorsWriter *writer;
    const EadImportNetwork *teacher, *student,
        *autoencoder; /* those of networks that were found, else NULL */
    int padding;      /* as decided: 0 or 1; -1: nobody says */
    EadFileLock lock; /* against a second import into the same file */
} Import;

/* Whether it will be a whole model. */
static bool predicts(const Import *import) {
    return import->teacher && import->student && import->vectors[EAD_IMPORT_TEACHER_MEAN].data &&
           import->vectors[EAD_IMPORT_TEACHER_STD].data;
}

static void show_rest(const Import *import) {
    for (int i = 0; i < import->source.count; i++) {
        const EadImportTensor *tensor = &import->source.tensors[i];
        char text[320];
        if (tensor->used) continue;
        ead_import_describe(tensor->view, text, sizeof text);
        ead_print(stderr, "not used: %s in %s\n", text, ead_import_path(&import->source, tensor));
    }
}

/* Of a model of this program with another method a network alone can be taken. */
static void show_origin(const Import *import, const EadImportTensor *first) {
    const char *method = ead_import_metadata(&import->source, first, "method");
    if (method && strcmp(method, "efficientad") != 0)
        ead_print(stderr,
                  "%s: is a model of the method %s; only the network that it looks through is taken\n",
                  ead_import_path(&import->source, first), method);
}

/* What was found, what was not used, and what the file is good for. */
static void show_result(const Import *import, const char *output) {
    for (int role = 0; role < EAD_IMPORT_ROLES; role++) {
        const EadImportNetwork *network = &import->networks.of[role];
        if (network->layout) show_origin(import, network->tensors[0]);
        if (network->layout)
            ead_print(stderr, "%s: %s, from %s\n", ead_import_role_name((EadImportRole)role), network->layout,
                      ead_import_path(&import->source, network->tensors[0]));
    }
    for (int v = 0; v < EAD_IMPORT_VECTORS; v++)
        if (import->vectors[v].elements > 0)
            ead_print(stderr, "%s: %s\n", import->vectors[v].name,
                      import->vectors[v].data ? "found" : "all zero or incomplete, not used");
    const EadImportBackbone *backbone = &import->backbone;
    if (backbone->count > 0) show_origin(import, backbone->tensors[0]);
    if (backbone->count > 0)
        ead_print(stderr,
                  "backbone: %d tensors (classifier, counters and what else lies behind its features are not "
                  "needed), from %s\n",
                  backbone->count, ead_import_path(&import->source, backbone->tensors[0]));
    show_rest(import);
    if (import->codebooks.tensors)
        ead_print(stderr, "%s: two books of %d codes of %d numbers, for dsr.codebook\n", output,
                  import->codebooks.codes, import->codebooks.channels);
    else if (backbone->count > 0)
        ead_print(stderr, "%s: a backbone, for model.backbone%s\n", output,
                  backbone->family->variant ? " and distill.backbone" : "");
    else if (!import->student)
        ead_print(stderr, "%s: a teacher, for model.teacher\n", output);
    else if (predicts(import))
        ead_print(stderr, "%s: a model%s\n", output,
                  import->vectors[EAD_IMPORT_QUANTILES].data
                      ? ""
                      : "; its maps are not normalised, the files hold no quantiles");
    else
        ead_print(stderr, "%s: for model.init; it cannot predict, the files hold no %s\n", output,
                  import->teacher ? "teacher_mean and teacher_std" : "teacher");
}

static const EadImportNetwork *found(const Import *import, EadImportRole role) {
    return import->networks.of[role].layout ? &import->networks.of[role] : NULL;
}

static EadStatus find_all(Import *import) {
    EAD_TRY(ead_import_networks_find(&import->networks, &import->source));
    import->teacher = found(import, EAD_IMPORT_TEACHER);
    import->student = found(import, EAD_IMPORT_STUDENT);
    import->autoencoder = found(import, EAD_IMPORT_AUTOENCODER);
    if (import->teacher || import->student) return ead_import_vectors_find(import->vectors, &import->source);
    if (import->autoencoder)
        return ead_fail(EAD_BAD_FILE, "%s: an autoencoder alone is of no use; name the student's file too",
                        import->source.paths.items[0]);
    EAD_TRY(ead_import_codebooks_find(&import->codebooks, &import->source));
    if (import->codebooks.tensors) return EAD_OK;
    EAD_TRY(ead_import_backbone_find(&import->backbone, &import->source));
    if (import->backbone.count > 0) return EAD_OK;
    show_rest(import);
    const char *closest = import->networks.closest;
    char known[512];
    ead_backbone_networks(known, sizeof known);
    return ead_fail(
        EAD_BAD_FILE,
        "%s: holds no network that is known (PDN-S, PDN-M, the autoencoder, DSR's codebooks, %s); %s%s",
        import->source.paths.items[0], known, closest[0] ? "the closest is " : "its tensors are listed above",
        closest);
}

/* Padding shows in no shape: whole modules say it, of others the user has to. */
static EadStatus decide_padding(Import *import, const EadArguments *arguments) {
    bool given = ead_arguments_given(arguments, EAD_OPTION_IMPORT_PADDING);
    import->padding = given ? (int)ead_arguments_value(arguments, EAD_OPTION_IMPORT_PADDING).i64 : -1;
    for (int role = 0; role <= EAD_IMPORT_STUDENT; role++) {
        const EadImportNetwork *network = &import->networks.of[role];
        if (!network->layout || network->padding < 0) continue;
        if (import->padding >= 0 && import->padding != network->padding)
            return ead_fail(EAD_BAD_FILE, "%s: the %s is built %s padding, %s otherwise",
                            ead_import_path(&import->source, network->tensors[0]),
                            ead_import_role_name((EadImportRole)role), network->padding ? "with" : "without",
                            given ? "--padding says" : "the teacher is");
        import->padding = network->padding;
    }
    if (import->padding < 0 && import->student)
        fputs("padding: the files do not say, taken as false; --padding true if it was trained with\n",
              stderr);
    return EAD_OK;
}

static EadStatus add_tensor(Import *import, EadImportTensor *tensor, const char *name) {
    const EadFileTensor *view = tensor->view;
    EAD_TRY(ead_import_load(&import->source, tensor));
    return ead_safetensors_writer_tensor(import->writer, name, view->type, view->dims, view->shape,
                                         view->data);
}

static EadStatus add_tensors(Import *import) {
    for (int role = 0; role < EAD_IMPORT_ROLES; role++) {
        const EadImportNetwork *network = &import->networks.of[role];
        for (int i = 0; i < network->params.count; i++)
            EAD_TRY(add_tensor(import, network->tensors[i], network->params.items[i].name));
    }
    if (import->codebooks.tensors)
        EAD_TRY(ead_import_codebooks_write(&import->codebooks, &import->source, import->writer));
    for (int i = 0; i < import->backbone.count; i++) {
        char name[512];
        ead_import_backbone_name(&import->backbone, i, name, sizeof name);
        EAD_TRY(add_tensor(import, import->backbone.tensors[i], name));
    }
    for (int v = 0; v < EAD_IMPORT_VECTORS; v++) {
        const EadImportVector *vector = &import->vectors[v];
        const int64_t shape[] = {vector->elements};
        if (vector->data)
            EAD_TRY(ead_safetensors_writer_tensor(import->writer, vector->name, vector->type, 1, shape,
                                                  vector->data));
    }
    return EAD_OK;
}

static EadStatus add_metadata(const Import *import) {
    const EadImportNetwork *pdn = import->teacher ? import->teacher : import->student;
    const EadImportNetwork *autoencoder = import->autoencoder;
    const EadImportBackbone *backbone = &import->backbone;
    const char *variant =
        backbone->count > 0 ? ead_import_metadata(&import->source, backbone->tensors[0], "variant") : NULL;
    if (!variant && backbone->count > 0) variant = backbone->family->variant;
    char size[24];
    ead_format_image_size(autoencoder ? autoencoder->height : 256, autoencoder ? autoencoder->width : 256,
                          size);
    const EadFileMetadata metadata[] = {
        {"imported_from", import->source.paths.items[0]},
        {"version", ead_version()},
        {pdn ? "format" : "variant", pdn ? "efficientad/1" : variant},
        {"model", pdn && pdn->size == EAD_PDN_MEDIUM ? "medium" : "small"},
        {"image_size", size},
        {"padding", import->padding > 0 ? "true" : "false"},
        {"map_normalization", import->vectors[EAD_IMPORT_QUANTILES].data ? "quantile" : "none"}};
    /* A backbone has no more than origin and, if a ResNet, variant, a teacher neither padding nor maps. */
    int count = import->student ? 7 : pdn ? 5 : variant ? 3 : 2;
    for (int i = 0; i < count; i++)
        EAD_TRY(ead_safetensors_writer_metadata(import->writer, metadata[i].key, metadata[i].value));
    return EAD_OK;
}

/* Whatever the file is good for (show_result()) must work; values that are not finite are noticed here. Says
 * which backbone it is. */
static EadStatus check_written(Import *import, const char *path) {
    if (import->codebooks.tensors) return ead_import_codebooks_check(&import->codebooks, path);
    if (import->backbone.count > 0) {
        EadBackbone backbone;
        EAD_TRY(ead_backbone_open(path, &backbone));
        ead_print(stderr, "backbone: %s\n", backbone.name);
        ead_backbone_free(&backbone);
        return EAD_OK;
    }
    const EadImportNetwork *teacher = import->teacher, *autoencoder = import->autoencoder;
    const EadEfficientadSpec spec = {.size = teacher ? teacher->size : import->student->size,
                                     .height = autoencoder ? autoencoder->height : 256,
                                     .width = autoencoder ? autoencoder->width : 256,
                                     .autoencoder = autoencoder != NULL};
    EadEfficientad *networks;
    EAD_TRY(ead_efficientad_new(&spec, &networks));
    EadStatus status = teacher ? ead_efficientad_read_teacher(networks, path) : EAD_OK;
    if (status == EAD_OK && import->student) status = ead_efficientad_read_trained(networks, path);
    ead_efficientad_free(networks);
    if (status != EAD_OK || !predicts(import)) return status;
    EadModel *model;
    EAD_TRY(ead_model_open(path, &model));
    ead_model_free(model);
    return EAD_OK;
}

/* What is wrong with the file that is being written, whose own path says nothing to anybody, is wrong with its source. */
static void refuse_part(EadStatus status, const char *part, const char *source) {
    const char *wrong = ead_error_message();
    size_t length = strlen(part);
    if (strncmp(wrong, part, length) == 0 && strncmp(wrong + length, ": ", 2) == 0) wrong += length + 2;
    ead_fail(status, "%s: cannot be used: %s", source, wrong);
}

static EadStatus write_checked(Import *import, const char *output) {
    EadAtomicFile file;
    EadPath part;
    EAD_TRY(ead_safetensors_writer_begin(import->writer, output, &file));
    EadStatus status = ead_atomic_file_readable(&file, part);
    if (status == EAD_OK) {
        status = check_written(import, part);
        if (status != EAD_OK) refuse_part(status, part, import->source.paths.items[0]);
    }
    if (status == EAD_OK && ead_interrupted())
        status = ead_fail(EAD_INTERRUPTED, "%s: stopped; nothing was written", output);
    if (status == EAD_OK) return ead_atomic_file_commit(&file);
    ead_atomic_file_discard(&file);
    return status;
}

/* Only what was imported too may be replaced: it can be got again. */
static EadStatus check_replaced(const char *output) {
    EadFileRole role = ead_file_role(output);
    EadSafetensors *file;
    if (role == EAD_ROLE_UNKNOWN || role == EAD_ROLE_EMPTY) return EAD_OK;
    EadStatus status = ead_safetensors_open_header(output, &file);
    if (status == EAD_NO_MEMORY) return status;
    bool imported = status == EAD_OK && ead_safetensors_metadata(file, "imported_from");
    if (status == EAD_OK) ead_safetensors_close(file);
    if (imported) return EAD_OK;
    return ead_fail(
        EAD_BAD_ARGUMENT,
        "%s: is in the way, and is %s that was not imported; move it away, or name another --output", output,
        ead_file_role_name(role));
}

static EadStatus check_output(const char *output) {
    EadPath folder;
    EAD_TRY(ead_check_output_file(output, "--output"));
    EAD_TRY(ead_check_folder_of(output, "--output"));
    EAD_TRY(ead_path_folder(folder, output));
    if (ead_folder_lock_is_held(folder)) /* a run is at work, and will write its own model there */
        return ead_fail(EAD_BUSY,
                        "%s: another process works there; wait for its end, or choose another --output",
                        folder);
    return check_replaced(output);
}

/* All that is wrong with the command line and its files. */
static EadStatus check_all(Import *import, const EadArguments *arguments, const char *output) {
    EadProblems problems = {0};
    ead_problems_add_all(&problems, &arguments->problems);
    ead_problems_add(&problems, ead_import_source_open(&import->source, arguments->paths,
                                                       arguments->path_count, &problems));
    const char *input = NULL;
    for (int i = 0; output && !input && i < import->source.paths.count; i++)
        if (ead_path_same(output, import->source.paths.items[i])) input = import->source.paths.items[i];
    if (input)
        ead_problems_add(
            &problems,
            ead_fail(EAD_BAD_ARGUMENT, "%s: is an input too (%s); name another --output", output, input));
    else if (output)
        ead_problems_add(&problems, check_output(output));
    EadStatus status = ead_problems_tell(&problems, stderr);
    ead_problems_free(&problems);
    return status;
}

/* What is found in the files must go together, and with the options. */
static EadStatus check_found(Import *import, const EadArguments *arguments) {
    EadProblems problems = {0};
    ead_problems_add(&problems, ead_import_networks_check(&import->networks, &import->source));
    ead_problems_add(&problems, decide_padding(import, arguments));
    EadStatus status = ead_problems_tell(&problems, stderr);
    ead_problems_free(&problems);
    return status;
}

static EadStatus run(Import *import, const EadArguments *arguments) {
    const char *output = arguments->values[EAD_OPTION_IMPORT_OUTPUT];
    EadPath lock;
    EAD_TRY(check_all(import, arguments, output));
    if (snprintf(lock, sizeof lock, "%s.lock", output) >= EAD_PATH_SIZE)
        return ead_fail(EAD_BAD_ARGUMENT, "%.200s: the path is too long", output);
    EAD_TRY(ead_file_lock_take(lock, output, &import->lock));
    EAD_TRY(check_replaced(output));
    EAD_TRY(find_all(import));
    EAD_TRY(check_found(import, arguments));
    EAD_TRY(ead_safetensors_writer_new(&import->writer));
    EAD_TRY(add_metadata(import));
    EAD_TRY(add_tensors(import));
    EAD_TRY(write_checked(import, output));
    show_result(import, output);
    return EAD_OK;
}

EadStatus ead_command_import(const EadArguments *arguments) {
    Import import = {0};
    ead_interrupt_catch();
    EadStatus status = run(&import, arguments);
    ead_safetensors_writer_free(import.writer);
    ead_import_backbone_free(&import.backbone);
    ead_import_codebooks_free(&import.codebooks);
    ead_import_networks_free(&import.networks);
    ead_import_source_close(&import.source);
    ead_file_lock_release(&import.lock);
    return status;
}
