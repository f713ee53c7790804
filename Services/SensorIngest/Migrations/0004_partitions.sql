-- As before, but for the second look at whether the partition is there: to_regclass answers from the session's cache of names, which waiting for the lock
-- does not refresh, so that who waited for somebody making the same partition failed on it. A catalogue's rows are read as they are.
create or replace function dos_make_observation_partition(moment timestamptz) returns void
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
  if exists (select from pg_class where relname = name and pg_table_is_visible(oid)) then return; end if;
  -- Made apart and attached: making it in place would lock out those who read.
  execute format('create table %I (like observations including all)', name);
  execute format('alter table observations attach partition %I for values from (%L) to (%L)', name, first || '+00', past || '+00');
end;
$$;
