-- Topics as tables: `events` is split by topic, so that each has its own files, its own vacuum and can be dropped alone,
-- while one INSERT may write to several.

create table topics (
  id integer generated always as identity primary key,
  name text not null unique,
  partitions integer not null check (partitions between 1 and 10000),
  visibility text not null check (visibility in ('public', 'partner', 'internal', 'restricted')),
  owner text not null,
  purpose text not null,
  legal_basis text not null,
  -- null keeps for ever
  retention_days integer check (retention_days > 0),
  successor text not null
);

-- The first offset that can be read. Retention moves it before it deletes, so that no reader walks over what is being deleted, and a
-- partition that is empty again goes on counting where it was.
create table topic_partitions (
  topic integer not null references topics,
  partition integer not null,
  earliest bigint not null default 0,
  primary key (topic, partition)
);

create table events (
  topic integer not null,
  partition integer not null,
  "offset" bigint not null check ("offset" >= 0),
  stored_at timestamptz not null default clock_timestamp(),
  key text not null,
  id uuid not null,
  source text not null,
  type text not null,
  subject text not null,
  time timestamptz not null,
  city text not null,
  correlation_id text,
  causation_id text,
  traceparent text,
  journal_partition integer,
  journal_epoch bigint,
  journal_offset bigint,
  data bytea not null,
  primary key (topic, partition, "offset")
) partition by list (topic);
