/*
 * The ZooKeeper side of KafkaTool: reads and writes znodes with ZooKeeper's own client, and expires a session of somebody else's by taking it
 * over and closing it.
 */
import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;

final class ZookeeperTool {
  private static final Map<String, ZooKeeper> SESSIONS = new ConcurrentHashMap<>();

  private ZookeeperTool() {}

  /** All znodes at and below `path`: {path: {data, version, ephemeralOwner (a session id in hex, "0": persistent)}}; none: empty. */
  static Object tree(JsonNode command) throws Exception {
    Map<String, Object> result = new TreeMap<>();
    walk(session(command), KafkaTool.text(command, "path"), result);
    return result;
  }

  private static void walk(ZooKeeper zookeeper, String path, Map<String, Object> result) throws Exception {
    try {
      Stat stat = new Stat();
      byte[] data = zookeeper.getData(path, false, stat);
      Map<String, Object> node = new TreeMap<>();
      node.put("data", data == null ? null : new String(data, StandardCharsets.UTF_8));
      node.put("version", stat.getVersion());
      node.put("ephemeralOwner", Long.toHexString(stat.getEphemeralOwner()));
      result.put(path, node);
      for (String child : zookeeper.getChildren(path, false)) walk(zookeeper, path.equals("/") ? "/" + child : path + "/" + child, result);
    } catch (KeeperException.NoNodeException gone) {
      // Deleted meanwhile, or never there.
    }
  }

  /** Creates the node with its parents, or sets its data. Ephemeral ones live as long as this helper. */
  static Object put(JsonNode command) throws Exception {
    ZooKeeper zookeeper = session(command);
    String path = KafkaTool.text(command, "path");
    byte[] data = command.hasNonNull("data") ? command.get("data").asText().getBytes(StandardCharsets.UTF_8) : null;
    for (int slash = path.indexOf('/', 1); slash > 0; slash = path.indexOf('/', slash + 1))
      create(zookeeper, path.substring(0, slash), null, CreateMode.PERSISTENT);
    CreateMode mode = command.path("ephemeral").asBoolean() ? CreateMode.EPHEMERAL : CreateMode.PERSISTENT;
    if (!create(zookeeper, path, data, mode)) zookeeper.setData(path, data, -1);
    return null;
  }

  private static boolean create(ZooKeeper zookeeper, String path, byte[] data, CreateMode mode) throws Exception {
    try {
      zookeeper.create(path, data, ZooDefs.Ids.OPEN_ACL_UNSAFE, mode);
      return true;
    } catch (KeeperException.NodeExistsException there) {
      return false;
    }
  }

  /** Deletes the node; one that is not there is fine. */
  static Object delete(JsonNode command) throws Exception {
    try {
      session(command).delete(KafkaTool.text(command, "path"), -1);
    } catch (KeeperException.NoNodeException gone) {
      return false;
    }
    return true;
  }

  /** Ends the session with this id (hex) and password (base64): its owner learns that it has expired. */
  static Object expire(JsonNode command) throws Exception {
    long id = Long.parseUnsignedLong(KafkaTool.text(command, "sessionId"), 16);
    byte[] password = Base64.getDecoder().decode(KafkaTool.text(command, "password"));
    CountDownLatch connected = new CountDownLatch(1);
    ZooKeeper taken = new ZooKeeper(KafkaTool.text(command, "zookeeper"), 6000, event -> {
      if (event.getState() == KeeperState.SyncConnected) connected.countDown();
    }, id, password);
    try {
      if (!connected.await(10, TimeUnit.SECONDS)) throw new IllegalStateException("the session could not be taken over");
    } finally {
      taken.close();
    }
    return null;
  }

  private static ZooKeeper session(JsonNode command) throws Exception {
    String connect = KafkaTool.text(command, "zookeeper");
    ZooKeeper known = SESSIONS.get(connect);
    if (known != null && known.getState().isAlive()) return known;
    CountDownLatch connected = new CountDownLatch(1);
    ZooKeeper made = new ZooKeeper(connect, 10_000, event -> {
      if (event.getState() == KeeperState.SyncConnected) connected.countDown();
    });
    if (!connected.await(15, TimeUnit.SECONDS)) {
      made.close();
      throw new IllegalStateException("no session with ZooKeeper at " + connect + " within 15 s");
    }
    SESSIONS.put(connect, made);
    return made;
  }
}
