// Batches, messages, dead letters, flights, zones and registry, alerts. Keys and indexes are those of
// storage/azure/containers.py, which says why; a test compares the two. Items expire by a ttl of their own.
param suffix string
param location string
param tags object
param principalId string

@description('Request units a second of the messages\' container: provisioned, or the limit of its autoscale.')
param maxThroughput int

@description('Whether the messages\' throughput follows the load.')
param autoscale bool

@description('Autoscale limit that all other containers share, RU/s.')
param ledgerMaxThroughput int
param publicAccess bool

// Cosmos DB Built-in Data Contributor: read, write and query items, nothing about the account itself.
var dataContributor = '00000000-0000-0000-0000-000000000002'

var databaseName = 'dronetelemetry'

var containers = [
  {
    name: 'batches'
    partitionKey: ['/bucket']
    indexed: ['/kind/?', '/sort/?', '/statusSort/?', '/partition/?', '/inFlightSince/?', '/completedAt/?', '/purgedSort/?', '/heldSort/?']
  }
  {
    name: 'messages-by-day'
    partitionKey: ['/deviceId', '/day']
    indexed: ['/sort/?', '/enqueuedAt/?']
  }
  {
    name: 'deadletters'
    partitionKey: ['/bucket']
    indexed: ['/kind/?', '/sort/?', '/statusSort/?', '/codes/[]/?', '/deviceId/?', '/batchId/?', '/resolvedAt/?', '/claimedAt/?']
  }
  {
    name: 'flights'
    partitionKey: ['/deviceId']
    indexed: ['/sort/?', '/lastAt/?']
  }
  {
    name: 'reference'
    partitionKey: ['/kind']
    indexed: ['/version/?']
  }
  {
    name: 'alerts'
    partitionKey: ['/deviceId']
    indexed: ['/sort/?', '/status/?', '/code/?', '/acknowledged/?', '/unsettled/?', '/clearedAt/?', '/notedAt/?']
  }
]

resource account 'Microsoft.DocumentDB/databaseAccounts@2024-11-15' = {
  name: 'cosmos-${suffix}'
  location: location
  tags: tags
  kind: 'GlobalDocumentDB'
  properties: {
    databaseAccountOfferType: 'Standard'
    // Session: a batch's steps read what the step before wrote.
    consistencyPolicy: { defaultConsistencyLevel: 'Session' }
    locations: [{ locationName: location, failoverPriority: 0, isZoneRedundant: false }]
    disableLocalAuth: true
    disableKeyBasedMetadataWriteAccess: true
    minimalTlsVersion: 'Tls12'
    // Batches come in bursts, and drones do not spread evenly: a partition of up to 3,000 RU/s may use what it has left
    // unused in the last five minutes. It costs nothing.
    enableBurstCapacity: true
    publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
    backupPolicy: { type: 'Continuous', continuousModeProperties: { tier: 'Continuous7Days' } }
  }

  resource database 'sqlDatabases' = {
    name: databaseName
    properties: {
      resource: { id: databaseName }
      options: { autoscaleSettings: { maxThroughput: ledgerMaxThroughput } }
    }

    resource collections 'containers' = [
      for container in containers: {
        name: container.name
        properties: {
          resource: {
            id: container.name
            partitionKey: {
              paths: container.partitionKey
              kind: length(container.partitionKey) > 1 ? 'MultiHash' : 'Hash'
              version: 2
            }
            defaultTtl: -1
            indexingPolicy: {
              indexingMode: 'consistent'
              automatic: true
              includedPaths: [for path in container.indexed: { path: path }]
              excludedPaths: [{ path: '/*' }]
            }
          }
          // Messages make many physical partitions, each of which would answer every query over the ledger if the two
          // shared their throughput.
          options: container.name != 'messages-by-day' ? {} : autoscale ? {
            autoscaleSettings: { maxThroughput: (maxThroughput + 999) / 1000 * 1000 }  // it goes by thousands
          } : {
            throughput: maxThroughput
          }
        }
      }
    ]
  }

  resource reads 'sqlRoleAssignments' = {
    name: guid(account.id, principalId, dataContributor)
    properties: {
      principalId: principalId
      roleDefinitionId: '${account.id}/sqlRoleDefinitions/${dataContributor}'
      scope: account.id
    }
  }
}

output accountId string = account.id
output endpoint string = account.properties.documentEndpoint
output databaseName string = databaseName
