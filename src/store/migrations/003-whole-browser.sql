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
  expires_at text,
  -- The labels its VM had: never shown, they say which restricted keys see it.
  vm_labels text not null check (json_valid(vm_labels))
) strict;

create index artifacts_by_vm on artifacts (vm_id, id);
create index artifacts_by_name on artifacts (vm_name, id);
create index artifacts_by_bytes on artifacts (sha256, size_bytes);
create index artifacts_by_expiry on artifacts (expires_at) where expires_at is not null;

-- Files of a guest that were kept: not again when a server or a connection is new. The artifact may be deleted since.
create table kept_files (
  vm_id text not null references vms (id) on delete cascade,
  kind text not null,
  file_id text not null,
  artifact_id text not null,
  primary key (vm_id, kind, file_id)
) strict, without rowid;

-- Kinds of artifacts that are kept of this VM without being asked for.
alter table vms add column keep text not null default '[]' check (json_valid(keep));

-- Profiles: the content stands encrypted in a file of its own, below profiles/.
create table profiles (
  id text primary key,
  name text not null unique,
  kind text not null check (kind in ('state', 'whole')),
  -- What a whole one was saved from.
  chromium text,
  -- Part of the file's name: new content is a new file, and the row says which of the two counts.
  revision integer not null,
  cookies integer not null,
  origins integer not null,
  size_bytes integer not null,
  created_at text not null,
  updated_at text not null
) strict;

-- By name: each start of the VM takes the profile as it is then.
alter table vms add column profile text;

-- Live view: signed links that were given out, so that they can be revoked. Each ends with the key that made it.
create table live_links (
  id text primary key,
  vm_id text not null,
  key_id text not null,
  label text,
  view_only integer not null check (view_only in (0, 1)),
  created_at text not null,
  expires_at text not null,
  revoked_at text
) strict;

create index live_links_by_vm on live_links (vm_id, created_at);

-- The person who has the browser in hand, as JSON; null: nobody.
alter table vms add column control text check (control is null or json_valid(control));

-- Upstream proxy of the guest, as JSON.
alter table vms add column proxy text check (proxy is null or json_valid(proxy));
