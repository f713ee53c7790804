-- What alerts begin with, as officers saved it; what the service brings along stands in its program.
create table templates (
  name text primary key,
  template json not null,
  changed timestamptz not null
);
