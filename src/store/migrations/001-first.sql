-- One row per VM. Columns carry the names of the contract's Vm, so that no mapping layer exists.
create table vms (
  id text primary key,
  name text not null unique,
  status text not null,
  status_reason text,
  console_tail text,
  generation integer not null,
  cpu_cores integer not null,
  memory_mb integer not null,
  kernel_cmdline text,
  image text not null,
  labels text not null check (json_valid(labels)),
  ttl_seconds integer,
  expires_at text,
  -- A VM without a lease cannot exist, and its lease cannot be freed before it.
  ip_address text not null unique references leases (ip),
  endpoint text,
  hypervisor text,
  accelerator text,
  pid integer,
  boot_ms integer,
  browser_restarts integer not null default 0,
  created_at text not null,
  started_at text,
  updated_at text not null,
  -- From here on: never part of a Vm anybody is shown.
  token text,
  machine text check (machine is null or json_valid(machine)),
  attachment text check (attachment is null or json_valid(attachment)),
  intent text
) strict;

create index vms_by_status on vms (status);
create index vms_by_expiry on vms (expires_at) where expires_at is not null;

create table leases (
  ip text primary key,
  vm_id text not null unique references vms (id) deferrable initially deferred,
  leased_at text not null
) strict;

-- autoincrement: a number is never given twice, even when the newest rows were pruned.
create table events (
  seq integer primary key autoincrement,
  type text not null,
  vm_id text not null,
  vm_name text not null,
  at text not null,
  data text not null check (json_valid(data))
) strict;

create index events_by_vm on events (vm_id, seq);
create index events_by_name on events (vm_name, seq);
