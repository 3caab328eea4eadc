/*
 * Kafka's own clients (kafka-clients 3.9.1) as a helper for the tests: one JSON command a line on stdin, one JSON answer a line on
 * stdout, many at once. It lives as long as its stdin, because a new JVM for each command would take a second or two.
 * Command: {"id":1,"op":"describe","bootstrap":"127.0.0.1:9092","topic":"t"}. Answer: {"id":1,"result":…} or {"id":1,"error":"…"}.
 */
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeProducersResult;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.ProducerState;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.ElectionNotNeededException;

public final class KafkaTool {
  static final ObjectMapper JSON = new ObjectMapper();
  private static final Map<String, Admin> ADMINS = new ConcurrentHashMap<>();

  interface Operation {
    Object run(JsonNode command, String bootstrap) throws Exception;
  }

  private static final Map<String, Operation> OPERATIONS = new HashMap<>();

  static {
    OPERATIONS.put("brokers", (c, b) -> brokers(admin(b)));
    OPERATIONS.put("topics", (c, b) ->
      admin(b).listTopics(new ListTopicsOptions().listInternal(c.path("internal").asBoolean())).names().get());
    OPERATIONS.put("createTopics", (c, b) -> createTopics(admin(b), c));
    OPERATIONS.put("deleteTopics", (c, b) -> admin(b).deleteTopics(strings(c.get("topics"))).all().get());
    OPERATIONS.put("addPartitions", (c, b) ->
      admin(b).createPartitions(Map.of(text(c, "topic"), NewPartitions.increaseTo(c.get("count").asInt()))).all().get());
    OPERATIONS.put("describe", (c, b) -> describe(admin(b), strings(c.get("topics"))));
    OPERATIONS.put("alterConfig", (c, b) -> alterConfig(admin(b), c));
    OPERATIONS.put("produce", (c, b) -> KafkaRecords.produce(c, b));
    OPERATIONS.put("consume", (c, b) -> KafkaRecords.consume(c, b));
    OPERATIONS.put("znodes", (c, b) -> ZookeeperTool.tree(c));
    OPERATIONS.put("putZnode", (c, b) -> ZookeeperTool.put(c));
    OPERATIONS.put("deleteZnode", (c, b) -> ZookeeperTool.delete(c));
    OPERATIONS.put("expireSession", (c, b) -> ZookeeperTool.expire(c));
    OPERATIONS.put("offsets", (c, b) -> offsets(admin(b), c));
    OPERATIONS.put("deleteRecords", (c, b) ->
      admin(b).deleteRecords(Map.of(partition(c), RecordsToDelete.beforeOffset(c.get("before").asLong()))).all().get());
    OPERATIONS.put("producers", (c, b) -> producers(admin(b), partition(c)));
    OPERATIONS.put("reassign", (c, b) -> reassign(admin(b), c));
    OPERATIONS.put("electLeaders", (c, b) -> electLeaders(admin(b), c));
    OPERATIONS.put("groups", (c, b) -> groups(admin(b)));
    OPERATIONS.put("describeGroup", (c, b) -> describeGroup(admin(b), text(c, "group")));
    OPERATIONS.put("groupOffsets", (c, b) -> groupOffsets(admin(b), text(c, "group")));
    OPERATIONS.put("groupCommits", (c, b) -> groupCommits(admin(b), text(c, "group")));
    OPERATIONS.put("setGroupOffset", (c, b) -> admin(b)
      .alterConsumerGroupOffsets(text(c, "group"), Map.of(partition(c), new OffsetAndMetadata(c.get("offset").asLong()))).all().get());
    OPERATIONS.put("deleteGroup", (c, b) -> admin(b).deleteConsumerGroups(List.of(text(c, "group"))).all().get());
  }

  public static void main(String[] args) throws Exception {
    PrintStream out = System.out;
    System.setOut(System.err); // Nothing but answers on stdout.
    ExecutorService workers = Executors.newCachedThreadPool();
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = in.readLine()) != null; ) {
      JsonNode command = JSON.readTree(line);
      workers.execute(() -> answer(command, out));
    }
    Runtime.getRuntime().halt(0);
  }

  private static void answer(JsonNode command, PrintStream out) {
    ObjectNode answer = JSON.createObjectNode();
    answer.set("id", command.get("id"));
    try {
      Operation operation = OPERATIONS.get(text(command, "op"));
      if (operation == null) throw new IllegalArgumentException("no such op: " + command);
      answer.set("result", JSON.valueToTree(operation.run(command, text(command, "bootstrap"))));
    } catch (Throwable thrown) {
      Throwable cause = thrown instanceof ExecutionException && thrown.getCause() != null ? thrown.getCause() : thrown;
      answer.put("error", cause.getClass().getSimpleName() + ": " + cause.getMessage());
    }
    synchronized (out) {
      out.println(answer);
      out.flush();
    }
  }

  private static Admin admin(String bootstrap) {
    return ADMINS.computeIfAbsent(bootstrap, key -> {
      Properties p = new Properties();
      p.put("bootstrap.servers", key);
      p.put("request.timeout.ms", "5000");
      p.put("default.api.timeout.ms", "20000");
      p.put("reconnect.backoff.max.ms", "200");
      p.put("retry.backoff.ms", "50");
      p.put("metadata.max.age.ms", "2000");
      // Of two brokers the one that it knew last may be the one that is dead (KIP-899).
      p.put("metadata.recovery.strategy", "rebootstrap");
      return Admin.create(p);
    });
  }

  private static Object brokers(Admin admin) throws Exception {
    var cluster = admin.describeCluster();
    List<Integer> ids = new ArrayList<>();
    for (Node node : cluster.nodes().get()) ids.add(node.id());
    ids.sort(null);
    Node controller = cluster.controller().get();
    Map<String, Object> result = new TreeMap<>();
    result.put("clusterId", cluster.clusterId().get());
    result.put("controller", controller == null ? -1 : controller.id());
    result.put("ids", ids);
    return result;
  }

  private static Object createTopics(Admin admin, JsonNode command) throws Exception {
    List<NewTopic> topics = new ArrayList<>();
    for (JsonNode each : command.get("topics")) {
      NewTopic topic;
      if (each.hasNonNull("assignment")) {
        Map<Integer, List<Integer>> assignment = new TreeMap<>();
        for (JsonNode replicas : each.get("assignment")) assignment.put(assignment.size(), integers(replicas));
        topic = new NewTopic(text(each, "name"), assignment);
      } else {
        topic = new NewTopic(text(each, "name"), each.path("partitions").asInt(1), (short) each.path("replicationFactor").asInt(1));
      }
      Map<String, String> config = new HashMap<>();
      each.path("config").fields().forEachRemaining(entry -> config.put(entry.getKey(), entry.getValue().asText()));
      topics.add(topic.configs(config));
    }
    admin.createTopics(topics).all().get();
    return topics.size();
  }

  private static Object describe(Admin admin, List<String> names) throws Exception {
    Map<String, Object> result = new TreeMap<>();
    for (var topic : admin.describeTopics(names).allTopicNames().get().values()) {
      List<Object> partitions = new ArrayList<>();
      for (var info : topic.partitions()) {
        Map<String, Object> partition = new TreeMap<>();
        partition.put("partition", info.partition());
        partition.put("leader", info.leader() == null ? -1 : info.leader().id());
        partition.put("replicas", ids(info.replicas()));
        partition.put("isr", ids(info.isr()));
        partitions.add(partition);
      }
      result.put(topic.name(), Map.of("topicId", topic.topicId().toString(), "partitions", partitions));
    }
    return result;
  }

  private static Object alterConfig(Admin admin, JsonNode command) throws Exception {
    boolean broker = command.hasNonNull("broker");
    ConfigResource.Type type = broker ? ConfigResource.Type.BROKER : ConfigResource.Type.TOPIC;
    List<AlterConfigOp> changes = new ArrayList<>();
    command.get("config").fields().forEachRemaining(entry -> changes.add(new AlterConfigOp(
      new ConfigEntry(entry.getKey(), entry.getValue().asText("")),
      entry.getValue().isNull() ? AlterConfigOp.OpType.DELETE : AlterConfigOp.OpType.SET)));
    ConfigResource resource = new ConfigResource(type, broker ? command.get("broker").asText() : text(command, "topic"));
    return admin.incrementalAlterConfigs(Map.of(resource, changes)).all().get();
  }

  /** `at`: "earliest", "latest" (default), "maxTimestamp" or a number of ms since the epoch. */
  private static Object offsets(Admin admin, JsonNode command) throws Exception {
    JsonNode at = command.path("at");
    OffsetSpec spec = at.isNumber() ? OffsetSpec.forTimestamp(at.asLong())
      : at.asText("latest").equals("earliest") ? OffsetSpec.earliest()
      : at.asText("latest").equals("maxTimestamp") ? OffsetSpec.maxTimestamp() : OffsetSpec.latest();
    String topic = text(command, "topic");
    Map<TopicPartition, OffsetSpec> wanted = new HashMap<>();
    for (var info : admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions())
      wanted.put(new TopicPartition(topic, info.partition()), spec);
    Map<Integer, Long> result = new TreeMap<>();
    for (var entry : admin.listOffsets(wanted).all().get().entrySet()) result.put(entry.getKey().partition(), entry.getValue().offset());
    return result;
  }

  private static Object producers(Admin admin, TopicPartition partition) throws Exception {
    DescribeProducersResult answer = admin.describeProducers(Set.of(partition));
    List<Object> result = new ArrayList<>();
    for (ProducerState state : answer.partitionResult(partition).get().activeProducers())
      result.add(Map.of("producerId", state.producerId(), "epoch", state.producerEpoch(), "lastSequence", state.lastSequence(),
        "lastTimestamp", state.lastTimestamp()));
    return result;
  }

  /** Moves a partition's replicas and waits until it is done. */
  private static Object reassign(Admin admin, JsonNode command) throws Exception {
    TopicPartition partition = partition(command);
    var target = Optional.of(new NewPartitionReassignment(integers(command.get("replicas"))));
    admin.alterPartitionReassignments(Map.of(partition, target)).all().get();
    long deadline = System.nanoTime() + 60_000_000_000L;
    while (!admin.listPartitionReassignments(Set.of(partition)).reassignments().get().isEmpty()) {
      if (System.nanoTime() > deadline) throw new IllegalStateException("the reassignment of " + partition + " did not end in 60 s");
      Thread.sleep(50);
    }
    return null;
  }

  private static Object electLeaders(Admin admin, JsonNode command) throws Exception {
    ElectionType type = command.path("unclean").asBoolean() ? ElectionType.UNCLEAN : ElectionType.PREFERRED;
    Set<TopicPartition> partitions = command.hasNonNull("topic") ? Set.of(partition(command)) : null;
    for (var result : admin.electLeaders(type, partitions).partitions().get().entrySet())
      if (result.getValue().isPresent() && !(result.getValue().get() instanceof ElectionNotNeededException))
        throw new IllegalStateException(result.getKey() + ": " + result.getValue().get());
    return null;
  }

  private static Object groups(Admin admin) throws Exception {
    Map<String, String> result = new TreeMap<>();
    for (var listing : admin.listConsumerGroups().all().get())
      result.put(listing.groupId(), listing.state().map(Object::toString).orElse("Unknown"));
    return result;
  }

  private static Object describeGroup(Admin admin, String group) throws Exception {
    var description = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
    List<Object> members = new ArrayList<>();
    for (MemberDescription member : description.members()) {
      List<String> partitions = new ArrayList<>();
      for (TopicPartition each : member.assignment().topicPartitions()) partitions.add(each.toString());
      partitions.sort(null);
      members.add(Map.of("memberId", member.consumerId(), "clientId", member.clientId(), "partitions", partitions));
    }
    return Map.of("state", description.state().toString(), "assignor", description.partitionAssignor(), "members", members);
  }

  private static Object groupOffsets(Admin admin, String group) throws Exception {
    var answer = admin.listConsumerGroupOffsets(Map.of(group, new ListConsumerGroupOffsetsSpec()));
    Map<String, Map<Integer, Long>> result = new TreeMap<>();
    for (var entry : answer.partitionsToOffsetAndMetadata(group).get().entrySet())
      if (entry.getValue() != null)
        result.computeIfAbsent(entry.getKey().topic(), key -> new TreeMap<>()).put(entry.getKey().partition(), entry.getValue().offset());
    return result;
  }

  /** The whole of what is committed, by "topic/partition". */
  private static Object groupCommits(Admin admin, String group) throws Exception {
    var answer = admin.listConsumerGroupOffsets(Map.of(group, new ListConsumerGroupOffsetsSpec()));
    Map<String, Object> result = new TreeMap<>();
    for (var entry : answer.partitionsToOffsetAndMetadata(group).get().entrySet()) {
      OffsetAndMetadata committed = entry.getValue();
      if (committed == null) continue;
      result.put(entry.getKey().topic() + "/" + entry.getKey().partition(), Map.of("offset", committed.offset(),
        "metadata", committed.metadata(), "leaderEpoch", committed.leaderEpoch().orElse(-1)));
    }
    return result;
  }

  static TopicPartition partition(JsonNode command) {
    return new TopicPartition(text(command, "topic"), command.get("partition").asInt());
  }

  static String text(JsonNode node, String field) {
    if (!node.hasNonNull(field)) throw new IllegalArgumentException("missing " + field + " in " + node);
    return node.get(field).asText();
  }

  private static List<Integer> ids(List<Node> nodes) {
    List<Integer> result = new ArrayList<>();
    for (Node node : nodes) result.add(node.id());
    return result;
  }

  private static List<String> strings(JsonNode array) {
    List<String> result = new ArrayList<>();
    for (JsonNode each : array) result.add(each.asText());
    return result;
  }

  private static List<Integer> integers(JsonNode array) {
    List<Integer> result = new ArrayList<>();
    for (JsonNode each : array) result.add(each.asInt());
    return result;
  }
}
