/* data.c - the bytes of a regular file: open, read, write and their kin.
 *
 * The bytes are the memory object's.  Added here is what makes them a file's:
 * who may open, the times, set-id bits, and that the node lives as long as it
 * is open.  An open file counts in the node's `users`, so these calls go to the
 * node without a look at the namespace: reading and writing never take its
 * lock.
 *
 * Order of a change: set-id bits are taken away first, then the bytes change,
 * then the times.
 */
#include "tree_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>

/* Our flags, of which the kernel knows nothing; it has checked the mode. */
static int may_open(struct node *node, unsigned how)
{
    bool changes = how & (TREE_OPEN_WRITE | TREE_OPEN_TRUNCATE);

    if (!node_is(node, S_IFREG))
        return node_is(node, S_IFDIR) ? -EISDIR : -EINVAL;
    if (changes && node_has(node, NODE_IMMUTABLE))
        return -EPERM;
    if (changes && node_has(node, NODE_APPEND) &&
        (!(how & TREE_OPEN_APPEND) || how & TREE_OPEN_TRUNCATE))
        return -EPERM;
    return 0;
}

static int truncate_opened(struct tree *tree, const struct tree_cred *killer,
                           struct node *node, bool wait)
{
    bool changed;
    int err = 0;

    if (killer)
        err = attr_kill(tree, node, killer, true, wait);
    if (!err)
        err = attr_truncate(tree, node, 0, wait, &changed);
    if (!err)
        times_modified(node);
    return err;
}

int tree_open(struct tree *tree, const struct tree_cred *killer, uint64_t id,
              unsigned how, bool wait, struct tree_file *file)
{
    struct node *node = node_get(tree, id);
    int err;

    if (!node)
        return -ESTALE;
    err = may_open(node, how);
    if (!err && how & TREE_OPEN_TRUNCATE)
        err = truncate_opened(tree, killer, node, wait);
    if (err) {
        node_put(tree, node);
        return err;
    }
    *file = (struct tree_file){ .id = id, .noatime = how & TREE_OPEN_NOATIME };
    return 0;
}

void tree_release(struct tree *tree, struct tree_file *file)
{
    node_put(tree, node_of(tree, file));
}

static void was_read(struct tree *tree, const struct tree_file *file)
{
    if (!file->noatime)
        times_accessed(tree, node_of(tree, file));
}

static int read_begin(struct tree *tree, struct tree_file *file,
                      struct readahead *ahead, uint64_t offset, size_t length,
                      bool wait, struct object_read *read)
{
    int err = object_read_begin(tree->store, &node_of(tree, file)->object,
                                ahead, offset, length, wait, read);

    if (!err)
        was_read(tree, file);
    return err;
}

int tree_read_begin(struct tree *tree, struct tree_file *file, uint64_t offset,
                    size_t length, bool wait, struct object_read *read)
{
    return read_begin(tree, file, &file->ahead, offset, length, wait, read);
}

int tree_read_start(struct tree *tree, struct tree_file *file, uint64_t offset,
                    size_t length, bool again, struct swap_lane *lane)
{
    return object_read_start(tree->store, &node_of(tree, file)->object,
                             again ? NULL : &file->ahead, offset, length, lane);
}

int tree_read_again(struct tree *tree, struct tree_file *file, uint64_t offset,
                    size_t length, bool wait, struct object_read *read)
{
    return read_begin(tree, file, NULL, offset, length, wait, read);
}

void tree_read_end(struct tree *tree, struct tree_file *file,
                   struct object_read *read)
{
    object_read_end(tree->store, &node_of(tree, file)->object, read);
}

int tree_write(struct tree *tree, const struct tree_cred *killer,
               struct tree_file *file, uint64_t offset, const void *data,
               size_t length, bool wait, size_t *written)
{
    struct node *node = node_of(tree, file);
    int err = 0;

    *written = 0;
    if (killer)
        err = attr_kill(tree, node, killer, true, wait);
    if (!err)
        err = object_write(tree->store, &node->object, offset, data, length,
                           wait, written);
    if (!err && *written)
        times_modified(node);
    return err;
}

int tree_write_back(struct tree *tree, struct tree_file *file, uint64_t offset,
                    const void *data, size_t length, bool wait,
                    size_t *written)
{
    *written = 0;
    return object_write(tree->store, &node_of(tree, file)->object, offset, data,
                        length, wait, written);
}

static int fallocate_mode(int mode, enum object_fallocate_mode *object_mode)
{
    switch (mode & ~FALLOC_FL_KEEP_SIZE) {
    case 0:
        *object_mode = OBJECT_ALLOCATE;
        return 0;
    case FALLOC_FL_PUNCH_HOLE:
        *object_mode = OBJECT_PUNCH;
        return mode & FALLOC_FL_KEEP_SIZE ? 0 : -EOPNOTSUPP;
    case FALLOC_FL_ZERO_RANGE:
        *object_mode = OBJECT_ZERO;
        return 0;
    default:
        return -EOPNOTSUPP;
    }
}

int tree_fallocate(struct tree *tree, const struct tree_cred *cred,
                   struct tree_file *file, int mode, uint64_t offset,
                   uint64_t length, bool wait)
{
    struct node *node = node_of(tree, file);
    bool keep_size = mode & FALLOC_FL_KEEP_SIZE;
    enum object_fallocate_mode object_mode;
    int err = fallocate_mode(mode, &object_mode);

    if (err)
        return err;
    if (length == 0)
        return -EINVAL;
    if (offset > OBJECT_MAX_SIZE || length > OBJECT_MAX_SIZE - offset)
        return -EFBIG;
    if (node_has(node, object_mode == OBJECT_ALLOCATE ? NODE_IMMUTABLE
                                                      : NODE_FROZEN))
        return -EPERM;
    err = attr_kill(tree, node, cred, false, wait);
    if (!err)
        err = object_fallocate(tree->store, &node->object, object_mode,
                               offset, length, keep_size, wait);
    if (!err)
        times_modified(node);
    return err;
}

int tree_lseek(struct tree *tree, struct tree_file *file, uint64_t offset,
               int whence, uint64_t *found)
{
    return object_seek(tree->store, &node_of(tree, file)->object, offset,
                       whence, found);
}

int tree_copy_range(struct tree *tree, const struct tree_cred *cred,
                    struct tree_file *from, uint64_t from_offset,
                    struct tree_file *to, uint64_t to_offset, uint64_t length,
                    bool wait, uint64_t *copied)
{
    struct node *node = node_of(tree, to);
    int err;

    *copied = 0;
    if (node_has(node, NODE_IMMUTABLE))
        return -EPERM;
    err = attr_kill(tree, node, cred, false, wait);
    if (!err)
        err = object_copy(tree->store, &node_of(tree, from)->object,
                          from_offset, &node->object, to_offset, length, wait,
                          copied);
    if (!err && *copied) {
        times_modified(node);
        was_read(tree, from);
    }
    return err;
}
