/* list.h - circular doubly linked lists, the links inside the element.
 *
 * A head is a `struct list` of its own; an element not on a list is either
 * untouched or was taken off by list_del, which makes it point to itself.
 *
 * Ownership   none: an element belongs to whoever embeds it.
 * Locking     the caller's.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>

struct list {
    struct list *next, *prev;
};

static inline void list_init(struct list *head)
{
    head->next = head->prev = head;
}

static inline bool list_empty(const struct list *head)
{
    return head->next == head;
}

static inline void list_insert(struct list *prev, struct list *item)
{
    item->prev = prev;
    item->next = prev->next;
    prev->next->prev = item;
    prev->next = item;
}

static inline void list_add_head(struct list *head, struct list *item)
{
    list_insert(head, item);
}

static inline void list_add_tail(struct list *head, struct list *item)
{
    list_insert(head->prev, item);
}

static inline void list_del(struct list *item)
{
    item->prev->next = item->next;
    item->next->prev = item->prev;
    list_init(item);
}

#define list_entry(ptr, type, member) container_of(ptr, type, member)
/* Safe against removal of `pos` itself. */
#define list_for_each_safe(pos, head)                                        \
    for (struct list *pos = (head)->next, *pos##_next = pos->next;           \
         pos != (head); pos = pos##_next, pos##_next = pos->next)

#endif
