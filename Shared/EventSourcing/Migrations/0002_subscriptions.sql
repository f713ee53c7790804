-- How far each subscription (and the forwarder) has come in each partition, and who may go on from there. The claim is what fences off who has
-- lost the lease: every step compares claim and position.
create table dos_checkpoints (
  subscription text not null,
  topic text not null,
  partition integer not null,
  -- the offset of the next event wanted
  position bigint not null,
  -- the last journal position seen, where events carry one
  epoch bigint,
  journal_offset bigint,
  claim bigint not null default 0,
  holder text,
  until timestamptz not null default '-infinity',
  primary key (subscription, topic, partition)
  -- room for updates beside the row: it changes several times a second
) with (fillfactor = 20);

-- Who takes part: the fair share is the partitions divided by those seen lately.
create table dos_lease_holders (
  subscription text not null,
  topic text not null,
  holder text not null,
  seen timestamptz not null,
  primary key (subscription, topic, holder)
) with (fillfactor = 20);

-- Events that a projection could not take, and those of the same stream that wait behind them, in the order of their positions.
create table dos_dead_letters (
  subscription text not null,
  topic text not null,
  partition integer not null,
  position bigint not null,
  subject text not null,
  key text not null,
  type text not null,
  -- null: waits behind an earlier one of its stream
  cause text,
  header_names text[] not null,
  header_values text[] not null,
  data bytea not null,
  parked_at timestamptz not null default clock_timestamp(),
  primary key (subscription, topic, partition, position)
);
create index dos_dead_letters_stream on dos_dead_letters (subscription, topic, partition, subject, position);
