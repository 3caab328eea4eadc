/*
 * Java's assignors as judge of src/flow/assignors/kafka: lines of tab-separated fields in, one line out for each.
 *   order HOW JSON      the texts of a list in the order of a HashMap that was filled with `put`, or by `computeIfAbsent` for each
 *   round JSON          one rebalance of a group whose members keep their assignors from round to round:
 *                       what each member sends when it joins, and what the leader then sends to each; all in hex
 */
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Assignment;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.GroupSubscription;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.consumer.RoundRobinAssignor;
import org.apache.kafka.clients.consumer.StickyAssignor;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;

public final class AssignorOracle {
  private static final ObjectMapper JSON = new ObjectMapper();
  /** Group and member, and the assignor that it keeps. */
  private static final Map<String, ConsumerPartitionAssignor> ASSIGNORS = new HashMap<>();

  private AssignorOracle() {}

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(new BufferedOutputStream(System.out, 1 << 16), false, StandardCharsets.UTF_8);
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      out.println(answerTo(line.split("\t", -1)));
      if (!in.ready()) out.flush();
    }
    out.flush();
  }

  private static String answerTo(String[] words) {
    try {
      switch (words[0]) {
        case "order":
          return order(words[1], JSON.readTree(words[2]));
        case "round":
          return round(JSON.readTree(words[1]));
        default:
          return "ERROR\tno such command";
      }
    } catch (Throwable error) {
      return "ERROR\t" + error.toString().replace('\n', ' ').replace('\t', ' ');
    }
  }

  private static String order(String how, JsonNode texts) throws Exception {
    Map<String, Boolean> map = new HashMap<>();
    for (JsonNode text : texts) {
      if (how.equals("put")) map.put(text.asText(), true);
      else map.computeIfAbsent(text.asText(), absent -> true);
    }
    return JSON.writeValueAsString(map.keySet());
  }

  private static ConsumerPartitionAssignor newAssignor(String name) {
    switch (name) {
      case "range":
        return new RangeAssignor();
      case "roundrobin":
        return new RoundRobinAssignor();
      case "sticky":
        return new StickyAssignor();
      default:
        return new CooperativeStickyAssignor();
    }
  }

  private static String round(JsonNode round) throws Exception {
    ObjectNode answer = JSON.createObjectNode();
    Map<String, ConsumerPartitionAssignor> assignors = new LinkedHashMap<>();
    Map<String, Subscription> subscriptions = new HashMap<>();
    Set<String> deaf = new HashSet<>();
    ObjectNode sent = answer.putObject("subscriptions");
    for (JsonNode member : round.get("members")) {
      String id = member.get("id").asText();
      String key = round.get("group").asText() + "/" + id;
      if (member.get("deaf").asBoolean()) deaf.add(id);
      ByteBuffer bytes;
      ConsumerPartitionAssignor own = ASSIGNORS.computeIfAbsent(key, absent -> newAssignor(round.get("assignor").asText()));
      assignors.put(id, own);
      if (member.has("hex")) bytes = ByteBuffer.wrap(HexFormat.of().parseHex(member.get("hex").asText()));
      else bytes = subscriptionOf(member, own);
      sent.put(id, hex(bytes));
      Subscription subscription = ConsumerProtocol.deserializeSubscription(bytes);
      subscription.setGroupInstanceId(text(member.get("instance")));
      subscriptions.put(id, subscription);
    }
    ConsumerPartitionAssignor leader = assignors.get(round.get("leader").asText());
    Map<String, Assignment> assignment = leader.assign(clusterOf(round.get("topics")), new GroupSubscription(subscriptions)).groupAssignment();
    ObjectNode given = answer.putObject("assignments");
    for (Map.Entry<String, Assignment> entry : assignment.entrySet()) {
      ByteBuffer bytes = ConsumerProtocol.serializeAssignment(entry.getValue());
      given.put(entry.getKey(), hex(bytes));
      ConsumerPartitionAssignor own = assignors.get(entry.getKey());
      ConsumerGroupMetadata group = new ConsumerGroupMetadata("g", round.get("generation").asInt(), entry.getKey(), Optional.empty());
      if (!deaf.contains(entry.getKey())) own.onAssignment(ConsumerProtocol.deserializeAssignment(bytes), group);
    }
    return JSON.writeValueAsString(answer);
  }

  private static ByteBuffer subscriptionOf(JsonNode member, ConsumerPartitionAssignor assignor) {
    List<String> topics = new ArrayList<>();
    for (JsonNode topic : member.get("topics")) topics.add(topic.asText());
    List<TopicPartition> owned = new ArrayList<>();
    for (JsonNode one : member.get("owned")) owned.add(new TopicPartition(one.get("topic").asText(), one.get("partition").asInt()));
    ByteBuffer userData = assignor.subscriptionUserData(new TreeSet<>(topics));
    Subscription subscription = new Subscription(topics, userData, owned, member.get("generation").asInt(), text(member.get("rack")));
    return ConsumerProtocol.serializeSubscription(subscription, (short) member.get("version").asInt());
  }

  private static Cluster clusterOf(JsonNode topics) {
    Map<String, Node> nodes = new HashMap<>();
    List<PartitionInfo> partitions = new ArrayList<>();
    for (JsonNode topic : topics) {
      int number = 0;
      for (JsonNode racks : topic.get("racks")) {
        Node[] replicas = new Node[racks.size()];
        for (int i = 0; i < replicas.length; i++) {
          String rack = text(racks.get(i)).orElse(null);
          replicas[i] = nodes.computeIfAbsent(i + " " + rack, absent -> new Node(nodes.size(), "host", 9092, rack));
        }
        partitions.add(new PartitionInfo(topic.get("name").asText(), number++, replicas.length > 0 ? replicas[0] : null, replicas, replicas));
      }
    }
    return new Cluster("c", nodes.values(), partitions, Collections.emptySet(), Collections.emptySet());
  }

  private static Optional<String> text(JsonNode node) {
    return node == null || node.isNull() ? Optional.empty() : Optional.of(node.asText());
  }

  private static String hex(ByteBuffer buffer) {
    ByteBuffer copy = buffer.duplicate();
    byte[] bytes = new byte[copy.remaining()];
    copy.get(bytes);
    return HexFormat.of().formatHex(bytes);
  }
}
