-- A VM made by an older version was not policed and not jailed: its row says so until its next start.
alter table vms add column network text;
alter table vms add column egress_mode text not null default 'open';
alter table vms add column egress text not null default '{"mode":"open","allow":[],"deny":[]}' check (json_valid(egress));
alter table vms add column isolation text check (isolation is null or json_valid(isolation));

create table keys (
  id text primary key,
  name text not null unique,
  prefix text not null,
  -- SHA-256 of the key, hex. A key has 256 random bits: no salt and no slow hash is needed.
  digest text not null unique,
  scope text not null,
  restriction text check (restriction is null or json_valid(restriction)),
  rate_per_minute integer,
  expires_at text,
  created_at text not null,
  last_used_at text,
  revoked_at text
) strict;

create table audit (
  seq integer primary key autoincrement,
  at text not null,
  key_id text not null,
  key_name text,
  address text,
  method text not null,
  path text not null,
  vm text,
  status integer not null,
  error text,
  duration_ms real not null,
  calls integer not null
) strict;

create index audit_by_key on audit (key_id, seq);
create index audit_by_vm on audit (vm, seq);
