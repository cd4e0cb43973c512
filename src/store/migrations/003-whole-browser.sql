-- What is kept on the host after its VM is gone. The bytes stand below artifacts/, named by their SHA-256.
create table artifacts (
  id text primary key,
  kind text not null,
  name text not null,
  content_type text not null,
  size_bytes integer not null,
  sha256 text not null,
  vm_id text not null,
  vm_name text not null,
  created_at text not null,
  expires_at text
) strict;

create index artifacts_by_vm on artifacts (vm_id, created_at);

-- Profiles: the content stands encrypted in a file of its own, below profiles/.
create table profiles (
  id text primary key,
  name text not null unique,
  created_at text not null,
  updated_at text not null
) strict;

-- Live view: signed links that were given out, so that they can be revoked.
create table live_links (
  id text primary key,
  vm_id text not null,
  created_at text not null,
  expires_at text not null,
  revoked_at text
) strict;

-- Upstream proxy of the guest, as JSON.
alter table vms add column proxy text check (proxy is null or json_valid(proxy));
