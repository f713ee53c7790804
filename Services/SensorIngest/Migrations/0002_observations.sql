-- Readings, partitioned by the start of their phenomenon time: months from 2010, decades before, so that a sender with a broken clock makes four partitions and not hundreds.
-- No arrival time and no serial: the topic alone decides what stands here. log_offset and log_index say where the holding reading stands in it; the higher one holds.
create sequence observation_ids increment by 1000 maxvalue 9007199254739992;

create table observations (
  datastream_id bigint not null,
  phenomenon_time timestamptz not null,
  phenomenon_end timestamptz,
  id bigint not null,
  number double precision,
  truth boolean,
  text text,
  json jsonb,
  result_time timestamptz,
  valid_time text,
  result_quality jsonb,
  parameters jsonb,
  implausible boolean not null,
  withdrawn boolean not null,
  log_offset bigint not null,
  log_index integer not null,
  primary key (datastream_id, phenomenon_time)
) partition by range (phenomenon_time);
create index observations_by_id on observations (id);

-- What a later reading of the same datastream and time replaced.
create table observation_revisions (
  datastream_id bigint not null,
  phenomenon_time timestamptz not null,
  phenomenon_end timestamptz,
  id bigint not null,
  number double precision,
  truth boolean,
  text text,
  json jsonb,
  result_time timestamptz,
  valid_time text,
  result_quality jsonb,
  parameters jsonb,
  implausible boolean not null,
  withdrawn boolean not null,
  log_offset bigint not null,
  log_index integer not null,
  primary key (datastream_id, phenomenon_time, log_offset, log_index)
);

-- Ids that were answered for readings that turned out to be known, or that hold no longer: they name what holds.
create table observation_aliases (
  id bigint primary key,
  datastream_id bigint not null,
  phenomenon_time timestamptz not null
);

-- readings counts everything that is not withdrawn; the rest is of the plausible numbers among them. Sums are numeric: those of floats depend on the order.
create table observation_hours (
  datastream_id bigint not null,
  hour timestamptz not null,
  readings bigint not null,
  plausible bigint not null,
  minimum double precision,
  maximum double precision,
  total numeric,
  primary key (datastream_id, hour)
);

-- Days of the city, Europe/Berlin. Its clocks are always whole hours ahead, so a day is made of hours.
create table observation_days (
  datastream_id bigint not null,
  day date not null,
  readings bigint not null,
  plausible bigint not null,
  minimum double precision,
  maximum double precision,
  total numeric,
  primary key (datastream_id, day)
);

-- Makes the partition for a moment. Called before anything is written in the transaction, so that who waits for the lock holds nothing the other needs.
create function dos_make_observation_partition(moment timestamptz) returns void
language plpgsql as $$
declare
  local timestamp := moment at time zone 'UTC';
  span text := case when local < timestamp '2010-01-01' then 'decade' else 'month' end;
  first timestamp := date_trunc(span, local);
  past timestamp := first + case span when 'decade' then interval '10 years' else interval '1 month' end;
  name text := 'observations_' || to_char(first, case span when 'decade' then 'YYYY' || '"s"' else 'YYYY_MM' end);
begin
  if to_regclass(name) is not null then return; end if;
  perform pg_advisory_xact_lock(hashtext('dos observations'), hashtext('partitions'));
  if to_regclass(name) is not null then return; end if;
  -- Made apart and attached: making it in place would lock out those who read.
  execute format('create table %I (like observations including all)', name);
  execute format('alter table observations attach partition %I for values from (%L) to (%L)', name, first || '+00', past || '+00');
end;
$$;
