-- Messages leave in the order of their ids, which are drawn as they are written.
DROP INDEX outbox_by_time;
