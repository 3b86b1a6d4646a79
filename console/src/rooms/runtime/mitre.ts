/** ATT&CK techniques by name, and the way of an escape in a responder's words. */
import type { TFunction } from 'i18next'
import { say, type Language } from '@/shell/i18n'
import type { Alert } from './data'

type Names = Record<Language, string>
const name = (en: string, zh: string): Names => ({ en, zh })

const TECHNIQUES: Record<string, Names> = {
  T1003: name('OS Credential Dumping', '操作系统凭证转储'),
  T1005: name('Data from Local System', '本地数据收集'),
  T1014: name('Rootkit', 'Rootkit'),
  T1020: name('Automated Exfiltration', '自动化数据外传'),
  T1021: name('Remote Services', '远程服务'),
  T1027: name('Obfuscated Files or Information', '混淆文件或信息'),
  'T1036.003': name('Rename Legitimate Utilities', '重命名系统工具'),
  T1037: name('Boot or Logon Initialization Scripts', '启动或登录脚本'),
  'T1037.004': name('RC Scripts', 'RC 启动脚本'),
  T1040: name('Network Sniffing', '网络嗅探'),
  T1041: name('Exfiltration Over C2 Channel', '通过 C2 通道外传'),
  T1046: name('Network Service Discovery', '网络服务发现'),
  T1053: name('Scheduled Task/Job', '计划任务'),
  'T1053.003': name('Cron', 'Cron 计划任务'),
  T1055: name('Process Injection', '进程注入'),
  'T1055.008': name('Ptrace System Calls', 'ptrace 注入'),
  'T1055.009': name('Proc Memory', '/proc 内存注入'),
  T1059: name('Command and Scripting Interpreter', '命令与脚本解释器'),
  'T1059.004': name('Unix Shell', 'Unix Shell'),
  'T1059.006': name('Python', 'Python'),
  T1068: name('Exploitation for Privilege Escalation', '利用漏洞提权'),
  T1070: name('Indicator Removal', '清除痕迹'),
  'T1070.002': name('Clear Linux or Mac System Logs', '清除系统日志'),
  'T1070.003': name('Clear Command History', '清除命令历史'),
  'T1070.004': name('File Deletion', '文件删除'),
  T1071: name('Application Layer Protocol', '应用层协议'),
  'T1071.004': name('DNS', 'DNS'),
  T1072: name('Software Deployment Tools', '软件部署工具'),
  T1082: name('System Information Discovery', '系统信息发现'),
  T1083: name('File and Directory Discovery', '文件与目录发现'),
  T1090: name('Proxy', '代理'),
  T1095: name('Non-Application Layer Protocol', '非应用层协议'),
  T1098: name('Account Manipulation', '账户操纵'),
  'T1098.004': name('SSH Authorized Keys', 'SSH 授权密钥'),
  T1105: name('Ingress Tool Transfer', '工具传入'),
  T1110: name('Brute Force', '暴力破解'),
  T1132: name('Data Encoding', '数据编码'),
  T1136: name('Create Account', '创建账户'),
  'T1136.001': name('Local Account', '创建本地账户'),
  T1190: name('Exploit Public-Facing Application', '利用对外应用漏洞'),
  'T1195.002': name('Compromise Software Supply Chain', '软件供应链攻击'),
  T1204: name('User Execution', '诱导用户执行'),
  'T1204.002': name('Malicious File', '恶意文件'),
  'T1205.001': name('Port Knocking', '端口敲门'),
  T1210: name('Exploitation of Remote Services', '利用远程服务漏洞'),
  T1219: name('Remote Access Tools', '远程访问工具'),
  'T1222.002': name('Linux and Mac File and Directory Permissions Modification', '文件权限修改'),
  T1485: name('Data Destruction', '数据破坏'),
  T1496: name('Resource Hijacking', '资源劫持（挖矿）'),
  T1499: name('Endpoint Denial of Service', '终端拒绝服务'),
  T1505: name('Server Software Component', '服务器软件组件'),
  'T1505.003': name('Web Shell', 'Web Shell'),
  T1528: name('Steal Application Access Token', '窃取应用访问令牌'),
  T1543: name('Create or Modify System Process', '创建或修改系统进程'),
  'T1543.002': name('Systemd Service', 'systemd 服务'),
  'T1546.004': name('Unix Shell Configuration Modification', 'Shell 配置修改'),
  'T1547.006': name('Kernel Modules and Extensions', '内核模块与扩展'),
  T1548: name('Abuse Elevation Control Mechanism', '滥用提权机制'),
  'T1548.001': name('Setuid and Setgid', 'setuid 与 setgid'),
  'T1548.003': name('Sudo and Sudo Caching', 'sudo 滥用'),
  T1552: name('Unsecured Credentials', '未受保护的凭证'),
  'T1552.001': name('Credentials In Files', '文件中的凭证'),
  'T1552.005': name('Cloud Instance Metadata API', '云实例元数据接口'),
  'T1552.007': name('Container API', '容器接口凭证'),
  T1554: name('Compromise Host Software Binary', '篡改主机软件'),
  T1555: name('Credentials from Password Stores', '密码库凭证'),
  T1556: name('Modify Authentication Process', '修改认证过程'),
  'T1557.002': name('ARP Cache Poisoning', 'ARP 缓存投毒'),
  'T1562.001': name('Disable or Modify Tools', '禁用安全工具'),
  T1564: name('Hide Artifacts', '隐藏痕迹'),
  'T1564.001': name('Hidden Files and Directories', '隐藏文件与目录'),
  T1565: name('Data Manipulation', '数据操纵'),
  T1568: name('Dynamic Resolution', '动态解析'),
  T1571: name('Non-Standard Port', '非标准端口'),
  T1572: name('Protocol Tunneling', '协议隧道'),
  'T1574.006': name('Dynamic Linker Hijacking', '动态链接器劫持'),
  T1595: name('Active Scanning', '主动扫描'),
  T1609: name('Container Administration Command', '容器管理命令'),
  T1610: name('Deploy Container', '部署容器'),
  T1611: name('Escape to Host', '逃逸到宿主机'),
  T1613: name('Container and Resource Discovery', '容器与资源发现'),
  T1620: name('Reflective Code Loading', '反射式代码加载'),
  T1622: name('Debugger Evasion', '反调试'),
}

/** A technique's name; a sub-technique that is not listed has its parent's. */
export const techniqueName = (id: string) => say(TECHNIQUES[id] ?? TECHNIQUES[id.split('.')[0] ?? ''])
export const techniquePlace = (id: string) => `https://attack.mitre.org/techniques/${id.replace('.', '/')}/`

/** How an escape is tried, told from the rule's name, which says it in its words; the first that fits. */
const WAYS: [RegExp, string][] = [
  [/shim_?sock|shim/, 'shim'],
  [/socket|runtime_api|docker_api|kubelet/, 'runtime_api'],
  [/release_agent|cgroup/, 'cgroup'],
  [/host_runs|usermode/, 'helper_ran'],
  [/helper|core_pattern|sysctl|sysfs|procfs|binfmt/, 'kernel_setting'],
  [/runtime_program|runc/, 'runtime_program'],
  [/leaked|descriptor|working_directory/, 'leaked_fd'],
  [/user_?ns/, 'user_namespace'],
  [/namespace|setns|unshare/, 'namespace'],
  [/device|mknod|disk/, 'device'],
  [/mount/, 'mount'],
  [/handle/, 'file_handle'],
  [/cross|other_container|traced|proc_mem/, 'cross_container'],
  [/cred/, 'credentials'],
  [/pipe|cow/, 'page_cache'],
  [/module|bpf|kexec|perf|kernel/, 'kernel_surface'],
]

export function techniqueOf(alert: Alert, t: TFunction<'runtime'>): string {
  const way = alert.evidence.technique ?? WAYS.find(([words]) => words.test(alert.rule.toLowerCase()))?.[1]
  if (way) return t(`runtime:way.${way}`, { defaultValue: way })
  return alert.mitre[0] ? techniqueName(alert.mitre[0]) || alert.mitre[0] : '–'
}
