// The app on Flex Consumption, with App Service authentication in front: who is not signed in is sent to the sign-in page
// (a program gets 401 when it asks for JSON) for everything but the open routes, and the app itself checks the roles.
param suffix string
param location string
param tags object
param identityId string
param identityClientId string
param hostStorageName string
param deploymentContainerUrl string
param dataBlobEndpoint string
param batchContainer string
param eventHubNamespaceHost string
param eventHubName string
param consumerGroup string
param cosmosEndpoint string
param cosmosDatabase string
param applicationInsightsConnectionString string
param authClientId string
param alertWebhooks string

@secure()
param alertWebhookSecret string
param maximumInstanceCount int
param instanceMemoryMB int

@description('Instances that are always there, by function group: cold starts would cost a batch its freshness.')
param alwaysReady array

@description('HTTP requests that one instance takes at once; for Python the platform would take one.')
param httpConcurrency int
param durablePartitionCount int

@description('How long a batch is waited for (HH:MM:SS), until it is full.')
param maxWaitTime string

@description('Settings of the app that go with its size.')
param sizedSettings object

@description('Endpoint of the Durable Task Scheduler; empty: the durable engine works on the storage account.')
param schedulerEndpoint string
param schedulerTaskHub string

@description('Subnet of the app for outgoing traffic; empty: none.')
param subnetId string

var name = 'func-${suffix}'

// Every setting here is read by settings/, by the host or by one of its extensions; tests/unit/infra holds both sides to it.
var appSettings = {
  AzureWebJobsStorage__accountName: hostStorageName
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  EventHubConnection__fullyQualifiedNamespace: eventHubNamespaceHost
  EventHubConnection__credential: 'managedidentity'
  EventHubConnection__clientId: identityClientId
  EventHubName: eventHubName
  EventHubConsumerGroup: consumerGroup
  STORE: 'azure'
  COSMOS_ENDPOINT: cosmosEndpoint
  COSMOS_DATABASE: cosmosDatabase
  BATCH_BLOB_ACCOUNT_URL: dataBlobEndpoint
  BATCH_BLOB_CONTAINER: batchContainer
  AUTH_MODE: 'app-service'
  AZURE_CLIENT_ID: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  // What the host writes of every invocation would be most of the bill (docs/scaling.md): warnings and errors stay.
  AzureFunctionsJobHost__logging__logLevel__Function: 'Warning'
  TRACE_RATIO: '0.05'
  AzureFunctionsJobHost__extensions__eventHubs__maxWaitTime: maxWaitTime
  // Empty counts as not set.
  ALERT_WEBHOOKS: alertWebhooks
  ALERT_WEBHOOK_SECRET: alertWebhookSecret
  AzureWebJobsDisableHomepage: 'true'
  PYTHON_THREADPOOL_THREAD_COUNT: '8'
}

// host.json is the same everywhere; what differs here is overridden by settings that the host reads.
var durableSettings = empty(schedulerEndpoint) ? {
  AzureFunctionsJobHost__extensions__durableTask__storageProvider__partitionCount: string(durablePartitionCount)
} : {
  AzureFunctionsJobHost__extensions__durableTask__storageProvider__type: 'azureManaged'
  AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionStringName: 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING'
  AzureFunctionsJobHost__extensions__durableTask__hubName: schedulerTaskHub
  DURABLE_TASK_SCHEDULER_CONNECTION_STRING: 'Endpoint=${schedulerEndpoint};Authentication=ManagedIdentity;ClientID=${identityClientId}'
}

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: 'plan-${suffix}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      ftpsState: 'Disabled'
      cors: { allowedOrigins: [] }
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: deploymentContainerUrl
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      runtime: { name: 'python', version: '3.12' }
      scaleAndConcurrency: {
        alwaysReady: alwaysReady
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        triggers: { http: { perInstanceConcurrency: httpConcurrency } }
      }
    }
  }

  resource settings 'config' = {
    name: 'appsettings'
    properties: union(appSettings, sizedSettings, durableSettings)
  }

  resource auth 'config' = {
    name: 'authsettingsV2'
    properties: {
      platform: { enabled: true }
      globalValidation: {
        requireAuthentication: true
        unauthenticatedClientAction: 'RedirectToLoginPage'
        redirectToProvider: 'azureactivedirectory'
        excludedPaths: ['/', '/assets/*', '/api/health', '/api/openapi.json', '/api/schemas/telemetry.json', '/api/config']
      }
      identityProviders: {
        azureActiveDirectory: {
          enabled: true
          registration: {
            clientId: authClientId
            openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
          }
          // Tokens of version 2 carry the bare client id as audience; the other form is what older clients ask for.
          validation: { allowedAudiences: [authClientId, 'api://${authClientId}'] }
        }
      }
      login: { tokenStore: { enabled: false } }
    }
    // One after the other: the platform refuses a change of a site while another is under way.
    dependsOn: [settings]
  }
}

output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
