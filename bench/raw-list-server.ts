/** The raw counterpart of GET /api/v1/vms: reads the same rows and serialises them, nothing else. argv: database */
import { Database } from "bun:sqlite";

const database = new Database(process.argv[2], { readonly: true });
const columns = database
  .query("select name from pragma_table_info('vms')")
  .all()
  .map((row) => (row as { name: string }).name)
  .filter((name) => !["token", "machine", "attachment", "intent"].includes(name));
const statement = database.query(`select ${columns.join(", ")} from vms order by name limit 100`);

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch() {
    const items = statement.all() as { labels: string }[];
    return Response.json({
      items: items.map((row) => ({ ...row, labels: JSON.parse(row.labels) })),
      total: items.length,
    });
  },
});
console.log(server.url.href);
